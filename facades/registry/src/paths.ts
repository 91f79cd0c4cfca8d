/** What a path below `/v2/` names. */
export type RegistryPath =
  | { readonly kind: 'tags' | 'uploads'; readonly name: string }
  | { readonly kind: 'manifest'; readonly name: string; readonly reference: string }
  | { readonly kind: 'blob' | 'referrers'; readonly name: string; readonly digest: string }
  | { readonly kind: 'upload'; readonly name: string; readonly id: string }

export type PathKind = RegistryPath['kind']

/** What a token must allow. */
export type RegistryAction = 'pull' | 'push' | 'delete'

/** Names of repositories hold slashes, and may hold the words that follow them: the last ones of a path count. */
const end =
  /^(?<name>.+)\/(?:(?<tags>tags\/list)|(?<uploads>blobs\/uploads)|blobs\/uploads\/(?<id>[^/]+)|blobs\/(?<digest>[^/]+)|manifests\/(?<reference>[^/]+)|referrers\/(?<subject>[^/]+))\/?$/

/** null: it is none of the distribution spec's. Whether the name is a valid one, is not asked. */
export function parsePath(path: string): RegistryPath | null {
  const { name, tags, uploads, id, digest, reference, subject } = end.exec(path)?.groups ?? {}
  if (name === undefined) return null
  if (tags !== undefined) return { kind: 'tags', name }
  if (uploads !== undefined) return { kind: 'uploads', name }
  if (id !== undefined) return { kind: 'upload', name, id }
  if (digest !== undefined) return { kind: 'blob', name, digest }
  if (reference !== undefined) return { kind: 'manifest', name, reference }
  return { kind: 'referrers', name, digest: subject ?? '' }
}

const actions: Readonly<Record<PathKind, Readonly<Record<string, RegistryAction>>>> = {
  tags: { GET: 'pull', HEAD: 'pull' },
  manifest: { GET: 'pull', HEAD: 'pull', PUT: 'push', DELETE: 'delete' },
  blob: { GET: 'pull', HEAD: 'pull', DELETE: 'delete' },
  uploads: { POST: 'push' },
  upload: { GET: 'push', HEAD: 'push', PATCH: 'push', PUT: 'push', DELETE: 'push' },
  referrers: { GET: 'pull', HEAD: 'pull' },
}

/** null: the method is not for this. */
export function actionOf(kind: PathKind, method: string): RegistryAction | null {
  return actions[kind][method] ?? null
}

export function methodsOf(kind: PathKind): string {
  return Object.keys(actions[kind]).join(', ')
}
