/**
 * The full name of the image that Docker means by `ref`; an id stays as it is. Pure.
 *
 * Podman must be given nothing shorter: for `mine:1` it takes any image that it has whose name ends so, and that may be one
 * which another project committed.
 */
export function fullImageName(ref: string): string {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(ref)) return ref
  const slash = ref.indexOf('/')
  const first = slash < 0 ? '' : ref.slice(0, slash)
  const isRegistry = first === 'localhost' || /[.:A-Z]/.test(first)
  const registry = isRegistry ? first : hub
  const path = isRegistry ? ref.slice(slash + 1) : ref
  if (registry !== hub && registry !== `index.${hub}`) return ref
  return path.includes('/') ? `${hub}/${path}` : `${hub}/library/${path}`
}

const hub = 'docker.io'
