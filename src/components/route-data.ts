import { defineRouteMiddleware } from '@astrojs/starlight/route-data';

/** A page with a lab has no room for a table of contents: the lab stands there. */
export const onRequest = defineRouteMiddleware((context) => {
  const route = context.locals.starlightRoute;
  if (route.entry.data.lab !== undefined) route.toc = undefined;
});
