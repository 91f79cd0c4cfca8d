/** One route of the Zun API that names a container, with arguments good enough to reach the container itself. */
export interface ZunRoute {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Below the version root; `{ref}` is an id or a name. */
  readonly path: string
  readonly query?: string
  readonly body?: unknown
  /** The microversion to ask for; 1.40 unless the route was taken away before. */
  readonly version?: string
}

/** Every route with `{ref}` in it. A test compares it with what the façade registers, so that none is forgotten. */
export const zunRoutes: readonly ZunRoute[] = [
  { method: 'GET', path: '/containers/{ref}' },
  { method: 'PATCH', path: '/containers/{ref}', body: { cpu: 1 } },
  { method: 'PATCH', path: '/containers/{ref}', body: {} },
  { method: 'POST', path: '/containers/{ref}/start' },
  { method: 'POST', path: '/containers/{ref}/stop', query: 'timeout=1' },
  { method: 'POST', path: '/containers/{ref}/reboot', query: 'timeout=1' },
  { method: 'POST', path: '/containers/{ref}/pause' },
  { method: 'POST', path: '/containers/{ref}/unpause' },
  { method: 'POST', path: '/containers/{ref}/kill', query: 'signal=SIGTERM' },
  { method: 'POST', path: '/containers/{ref}/rebuild', query: 'image=busybox' },
  { method: 'POST', path: '/containers/{ref}/rename', query: 'name=stolen', version: '1.13' },
  { method: 'POST', path: '/containers/{ref}/resize', query: 'h=24&w=80' },
  { method: 'POST', path: '/containers/{ref}/resize_container', body: { memory: 128 } },
  { method: 'POST', path: '/containers/{ref}/execute', query: 'command=id&run=True' },
  { method: 'POST', path: '/containers/{ref}/execute', query: 'command=id&run=False&interactive=True' },
  { method: 'POST', path: '/containers/{ref}/execute_resize', query: `exec_id=${'e'.repeat(64)}&h=24&w=80` },
  { method: 'POST', path: '/containers/{ref}/commit', query: 'repository=stolen&tag=v1' },
  { method: 'GET', path: '/containers/{ref}/logs', query: 'stdout=True&stderr=True' },
  { method: 'GET', path: '/containers/{ref}/attach' },
  { method: 'GET', path: '/containers/{ref}/top' },
  { method: 'GET', path: '/containers/{ref}/stats' },
  { method: 'GET', path: '/containers/{ref}/get_archive', query: 'path=/etc/passwd' },
  { method: 'POST', path: '/containers/{ref}/put_archive', query: 'path=/', body: { data: 'AAAA' } },
  { method: 'GET', path: '/containers/{ref}/network_list' },
  { method: 'POST', path: '/containers/{ref}/network_attach', query: 'network=net' },
  { method: 'POST', path: '/containers/{ref}/network_detach', query: 'network=net' },
  { method: 'POST', path: '/containers/{ref}/add_security_group', query: 'name=default', version: '1.14' },
  { method: 'POST', path: '/containers/{ref}/remove_security_group', query: 'name=default', version: '1.14' },
  { method: 'GET', path: '/containers/{ref}/container_actions' },
  { method: 'GET', path: '/containers/{ref}/container_actions/req-00000000-0000-4000-8000-000000000000' },
  { method: 'DELETE', path: '/containers/{ref}', query: 'force=False&stop=True&all_projects=False' },
  { method: 'DELETE', path: '/containers/{ref}' },
]

/** The same for a capsule. */
export const zunCapsuleRoutes: readonly ZunRoute[] = [
  { method: 'GET', path: '/capsules/{ref}' },
  { method: 'GET', path: '/capsules/{ref}', version: '1.31' },
  { method: 'DELETE', path: '/capsules/{ref}' },
]

/** The same for a registry. */
export const zunRegistryRoutes: readonly ZunRoute[] = [
  { method: 'GET', path: '/registries/{ref}' },
  { method: 'PATCH', path: '/registries/{ref}', body: { registry: { username: 'stolen' } } },
  { method: 'DELETE', path: '/registries/{ref}' },
]

export interface WalkOptions {
  /** The service's address as in the catalog, without a version: `http://127.0.0.1:9517/container`. */
  readonly base: string
  /** A token of a project that does not own the container. */
  readonly token: string
  /** What the container may be called: its id and its name. */
  readonly refs: readonly string[]
  /** Those of containers unless told. */
  readonly routes?: readonly ZunRoute[]
  /** The code of the refusals. */
  readonly code?: string
}

/** A route that did not answer as if the container did not exist. */
export interface Leak {
  readonly route: string
  readonly status: number
  readonly body: string
}

/**
 * Asks every route, with and without the version in its path, for what is somebody else's. Each must answer 404 in
 * Zun's shape, naming nothing but what was asked for; what does otherwise is returned.
 */
export async function walkAsStranger(options: WalkOptions): Promise<Leak[]> {
  const { base, token, refs, routes = zunRoutes, code = 'container.container-not-found' } = options
  const leaks: Leak[] = []
  for (const ref of refs) {
    for (const route of routes) {
      for (const root of [`${base}/v1`, base]) {
        const answer = await ask(root, token, ref, route)
        if (answer.status === 404 && answer.body.includes(`"${code}"`)) continue
        leaks.push({ route: `${route.method} ${root}${route.path} (${ref})`, ...answer })
      }
    }
  }
  return leaks
}

async function ask(
  root: string,
  token: string,
  ref: string,
  route: ZunRoute,
): Promise<{ status: number; body: string }> {
  const { method, path, query, body, version = '1.40' } = route
  const url = `${root}${path.replace('{ref}', encodeURIComponent(ref))}${query === undefined ? '' : `?${query}`}`
  const response = await fetch(url, {
    method,
    headers: {
      'x-auth-token': token,
      'openstack-api-version': `container ${version}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: await response.text() }
}
