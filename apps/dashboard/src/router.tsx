import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router'
import { containerSearch } from './pages/containers/search.ts'
import { tabSearch } from './pages/container/tabs.ts'
import { NotFound } from './pages/not-found.tsx'
import { Shell } from './shell/shell.tsx'

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound })

/** Each page is a file of its own, which is loaded when it is first opened. */
const overview = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: lazyRouteComponent(() => import('./pages/overview/overview.tsx'), 'Overview'),
})
const containers = createRoute({
  getParentRoute: () => root,
  path: '/containers',
  validateSearch: containerSearch,
  component: lazyRouteComponent(() => import('./pages/containers/containers.tsx'), 'Containers'),
})
const container = createRoute({
  getParentRoute: () => root,
  path: '/containers/$id',
  validateSearch: tabSearch,
  component: lazyRouteComponent(() => import('./pages/container/container.tsx'), 'ContainerPage'),
})

export const router = createRouter({
  routeTree: root.addChildren([overview, containers, container]),
  basepath: '/ui',
  defaultPreload: 'intent',
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
