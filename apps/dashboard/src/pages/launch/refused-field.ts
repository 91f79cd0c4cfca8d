import { ApiError } from '../../api/client.ts'
import type { Problems } from './check-draft.ts'
import type { Draft } from './draft.ts'

/** Which field a field of the API's body is. */
const ofBody: Readonly<Record<string, keyof Draft>> = {
  image: 'image',
  name: 'name',
  count: 'count',
  cpu: 'cpu',
  memory: 'memory',
  disk: 'disk',
  nets: 'nets',
  securityGroups: 'groups',
  exposedPorts: 'ports',
  publish: 'publish',
  mounts: 'mounts',
  environment: 'environment',
  labels: 'labels',
  command: 'command',
  registry: 'registry',
  availabilityZone: 'zone',
  restartPolicy: 'restart',
}

/** What the server said, beside the fields that it means; nothing where it means none. */
export function refusedField(error: Error): Problems {
  if (!(error instanceof ApiError)) return {}
  // One of its sentences may speak of several fields: `/cpu: must be a number; /nets/0/network: …`.
  const told = error.message.split('; ').flatMap((part): [keyof Draft, string][] => {
    const [, name = '', rest = '', text = ''] = /^\/(\w+)([^:]*): (.+)$/s.exec(part) ?? []
    const field = ofBody[name]
    return field ? [[field, sentence(rest, text)]] : []
  })
  // The first of each counts.
  if (told.length > 0) return Object.fromEntries(told.toReversed())
  const field = ofBody[(error.field ?? '').split('/')[1] ?? '']
  return field ? { [field]: error.message } : {}
}

/** `/0/network` is in the first line of several. */
function sentence(place: string, text: string): string {
  const [, line, inner] = /^\/(\d+)(?:\/(\w+))?/.exec(place) ?? []
  const where = line === undefined ? '' : `No. ${Number(line) + 1}${inner === undefined ? '' : `, ${inner}`}: `
  const words = `${where}${text}`.replaceAll(/`([^`]*)`/g, '“$1”')
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${words.endsWith('.') ? '' : '.'}`
}
