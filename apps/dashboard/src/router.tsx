import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router'
import { auditSearch } from './pages/audit/search.ts'
import { containerSearch } from './pages/containers/search.ts'
import { tabSearch } from './pages/container/tabs.ts'
import { NotFound } from './pages/not-found.tsx'
import { launchSearch, placeSearch } from './parts/place-search.ts'
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
const launch = createRoute({
  getParentRoute: () => root,
  path: '/launch',
  validateSearch: launchSearch,
  component: lazyRouteComponent(() => import('./pages/launch/launch.tsx'), 'Launch'),
})
const images = createRoute({
  getParentRoute: () => root,
  path: '/images',
  validateSearch: placeSearch,
  component: lazyRouteComponent(() => import('./pages/images/images.tsx'), 'Images'),
})
const networks = createRoute({
  getParentRoute: () => root,
  path: '/networks',
  validateSearch: placeSearch,
  component: lazyRouteComponent(() => import('./pages/networks/networks.tsx'), 'Networks'),
})
const topology = createRoute({
  getParentRoute: () => root,
  path: '/topology',
  component: lazyRouteComponent(() => import('./pages/topology/topology.tsx'), 'TopologyPage'),
})
const volumes = createRoute({
  getParentRoute: () => root,
  path: '/volumes',
  validateSearch: placeSearch,
  component: lazyRouteComponent(() => import('./pages/volumes/volumes.tsx'), 'Volumes'),
})
const registries = createRoute({
  getParentRoute: () => root,
  path: '/registries',
  validateSearch: placeSearch,
  component: lazyRouteComponent(() => import('./pages/registries/registries.tsx'), 'Registries'),
})
const quotas = createRoute({
  getParentRoute: () => root,
  path: '/quotas',
  validateSearch: placeSearch,
  component: lazyRouteComponent(() => import('./pages/quotas/quotas.tsx'), 'Quotas'),
})
const events = createRoute({
  getParentRoute: () => root,
  path: '/events',
  component: lazyRouteComponent(() => import('./pages/events/events.tsx'), 'Events'),
})
const audit = createRoute({
  getParentRoute: () => root,
  path: '/audit',
  validateSearch: auditSearch,
  component: lazyRouteComponent(() => import('./pages/audit/audit.tsx'), 'Audit'),
})
const hosts = createRoute({
  getParentRoute: () => root,
  path: '/hosts',
  validateSearch: placeSearch,
  component: lazyRouteComponent(() => import('./pages/hosts/hosts.tsx'), 'Hosts'),
})
const identity = createRoute({
  getParentRoute: () => root,
  path: '/identity',
  validateSearch: placeSearch,
  component: lazyRouteComponent(() => import('./pages/identity/identity.tsx'), 'Identity'),
})

export const router = createRouter({
  routeTree: root.addChildren([
    overview,
    containers,
    container,
    launch,
    images,
    networks,
    topology,
    volumes,
    registries,
    quotas,
    events,
    audit,
    hosts,
    identity,
  ]),
  basepath: '/ui',
  defaultPreload: 'intent',
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
