/** How people run the program: from a clone of the project, or as a package that is installed. */
export const COMMAND_LINE = import.meta.url.endsWith('.ts') ? 'npm run tsworker --' : 'npx tsworker';
