import type { MountRequest } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Mount } from '@gantry/model'
import type { Static } from 'typebox'
import type { AskedMount, ContainerMount } from './schemas-storage.ts'

export function toMountRequest(mount: Static<typeof AskedMount>, index: number): MountRequest {
  const { source, size, content, destination, readOnly = false } = mount
  if ([source, size, content].filter((given) => given !== undefined).length !== 1) {
    throw new Fault('request.invalid', { problem: `mounts[${index}] must have one of source, size and content.` })
  }
  if (source !== undefined) return { kind: 'volume', source, destination, readOnly }
  if (size !== undefined) return { kind: 'new', size, destination, readOnly }
  return { kind: 'file', content: content ?? '', destination }
}

/** What is in a file may be a secret: it is counted, never shown. */
export function toMountView(mount: Mount): Static<typeof ContainerMount> {
  const { kind, destination } = mount
  if (mount.kind === 'volume') {
    return { kind, destination, readOnly: mount.readOnly, volumeId: mount.volumeId, size: null }
  }
  return { kind, destination, readOnly: true, volumeId: null, size: Buffer.byteLength(mount.content, 'base64') }
}
