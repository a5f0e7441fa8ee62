import type Module from 'node:module';

/**
 * Node runs these hooks in a thread of their own.
 *
 * A `.ts` file is an ES module, whatever the package.json beside it says, or if there is none: as CommonJS it
 * would `require()` this package, and get a second copy of it.
 */
export const resolve: Module.ResolveHook = async (specifier, context, nextResolve) => {
  const resolved = await nextResolve(specifier, context);
  return new URL(resolved.url).pathname.endsWith('.ts') ? { ...resolved, format: 'module' } : resolved;
};
