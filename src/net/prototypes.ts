import { IncomingMessage, type RequestListener, ServerResponse } from 'node:http';

/**
 * Express gives each request and each response another prototype, which is the larger part of what it costs:
 * V8 forgets what it has learnt of an object whose prototype is changed. Where they are made with the app's own
 * prototypes from the start there is nothing to change.
 *
 * It leans on what Express keeps in `app.request` and `app.response`; without those it answers nothing, and all
 * works as before, only slower.
 */
export function classesFor(listener: RequestListener) {
  const { request, response } = listener as { request?: unknown; response?: unknown };
  if (!(request instanceof IncomingMessage) || !(response instanceof ServerResponse)) return {};
  return {
    IncomingMessage: withPrototype(IncomingMessage, request),
    ServerResponse: withPrototype(ServerResponse, response),
  };
}

/**
 * The same class, whose objects have another prototype that leads to its own. Node's two are plain functions, so
 * they can be called on an object that is there. `Reflect.construct` would do for any class, but V8 makes a new
 * shape for each object that it gives, and is a hundred times slower.
 */
function withPrototype<Class extends new (...args: never[]) => object>(
  base: Class,
  prototype: object,
): Class {
  const made = function (this: object, ...args: never[]) {
    Reflect.apply(base, this, args);
  } as unknown as Class;
  Object.defineProperty(made, 'prototype', { value: prototype });
  return made;
}
