/** Docker Hub goes by several names, and its registry by yet another. */
const hubNames = new Set(['', 'docker.io', 'index.docker.io', 'registry-1.docker.io'])

export function isHub(domain: string): boolean {
  return hubNames.has(domain.toLowerCase())
}

/** A registry as one tells a person about it. */
export function nameOf(domain: string): string {
  return isHub(domain) ? 'docker.io' : domain
}
