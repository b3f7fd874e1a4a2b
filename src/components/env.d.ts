/// <reference types="astro/client" />
/// <reference path="../../node_modules/astro/types/content.d.ts" />

declare namespace App {
  interface Locals {
    starlightRoute: import('@astrojs/starlight/route-data').StarlightRouteData;
  }
}

declare module '*.astro' {
  const component: (props: Record<string, unknown>) => unknown;
  export default component;
  export type Choice = { say: string; why: string; right?: boolean };
}
