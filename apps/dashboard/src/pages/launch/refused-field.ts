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
  mounts: 'mounts',
  environment: 'environment',
  labels: 'labels',
  command: 'command',
  registry: 'registry',
  availabilityZone: 'zone',
  restartPolicy: 'restart',
}

/** Which field a refusal speaks of by the first part of its code. */
const ofCode: Readonly<Record<string, keyof Draft>> = {
  image: 'image',
  registry: 'registry',
  network: 'nets',
  subnet: 'nets',
  group: 'groups',
  volume: 'mounts',
}

/** What the server said, beside the field that it means; nothing where it means none. */
export function refusedField(error: Error): Problems {
  if (!(error instanceof ApiError)) return {}
  const place = /^\/(\w+)[^:]*: (.*)$/.exec(error.message)
  const named = ofBody[place?.[1] ?? '']
  if (named) return { [named]: place?.[2] ?? error.message }
  if (error.code === 'container.name-taken') return { name: error.message }
  const field = ofCode[error.code.split('.', 1)[0] ?? '']
  return field ? { [field]: error.message } : {}
}
