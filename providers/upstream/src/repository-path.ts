import type { UpstreamRepository } from '@gantry/control'
import { Fault } from '@gantry/kernel'

/** The distribution spec's grammar; nothing of it needs to be escaped in an address. */
const validPath = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const validReference = /^(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|[a-z0-9]+:[0-9a-f]{32,128})$/

/** Throws `request.invalid` for a name that no registry can have. */
export function pathOf({ path }: UpstreamRepository, kind: 'manifests' | 'blobs', reference: string): string {
  check(path, path.length <= 255 && validPath.test(path))
  check(reference, validReference.test(reference))
  return `/v2/${path}/${kind}/${reference}`
}

/** Where an upload begins. Throws as `pathOf`. */
export function uploadsOf({ path }: UpstreamRepository): string {
  check(path, path.length <= 255 && validPath.test(path))
  return `/v2/${path}/blobs/uploads/`
}

export function scopeOf({ path }: UpstreamRepository, actions: 'pull' | 'pull,push'): string {
  return `repository:${path}:${actions}`
}

function check(text: string, isValid: boolean): void {
  if (isValid) return
  throw new Fault('request.invalid', { problem: `invalid reference format: ${JSON.stringify(text.slice(0, 300))}` })
}
