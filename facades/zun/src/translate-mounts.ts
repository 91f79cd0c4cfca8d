import type { MountRequest } from '@gantry/control'
import { schemaError } from './errors.ts'

interface AskedMount {
  readonly type?: 'volume' | 'bind'
  readonly source?: string
  readonly destination: string
  readonly size?: number | string
}

/** From a checked `mounts`. `bind` does not name a path of the host: its source is the content of a file, in base64. */
export function toMounts(value: unknown): MountRequest[] {
  const asked = (value ?? []) as readonly AskedMount[]
  const destinations = new Set(asked.map(({ destination }) => destination.replace(/\/+$/, '')))
  if (destinations.size < asked.length) throw badMounts('two of them have the same destination')
  return asked.map(toMount)
}

function toMount({ type, source, size, destination }: AskedMount): MountRequest {
  if (source !== undefined && size !== undefined) throw badMounts('source and size exclude each other')
  if (type === 'bind') {
    if (source === undefined) throw badMounts('one of type bind needs a source, the content of a file in base64')
    if (!isBase64(source)) throw badMounts('the source of one of type bind must be the content of a file in base64')
    return { kind: 'file', content: source, destination }
  }
  if (source !== undefined) return { kind: 'volume', source, destination, readOnly: false }
  return { kind: 'new', size: Number(size), destination, readOnly: false }
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)
}

function badMounts(problem: string) {
  return schemaError(`Invalid input for field 'mounts': ${problem}.`)
}
