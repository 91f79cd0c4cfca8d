import { Fault } from '@gantry/kernel'

/** Of a new container's body, by the first part of the code of what was refused. */
const ofCode: Readonly<Record<string, string>> = {
  image: '/image',
  registry: '/registry',
  subnet: '/nets',
  address: '/nets',
  group: '/securityGroups',
  volume: '/mounts',
  port: '/publish',
}
/** By what was not found, or may not be had. */
const ofType: Readonly<Record<string, string>> = {
  'floating IP': '/publish',
  'security group': '/securityGroups',
}

/** Runs the making of a container; a refusal names the field of the body that it speaks of, where it speaks of one. */
export async function namingFields<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const field = error instanceof Fault ? fieldOf(error) : undefined
    throw error instanceof Fault && field !== undefined
      ? new Fault(error.code, { ...error.details, field }, error)
      : error
  }
}

function fieldOf({ code, details }: Fault): string | undefined {
  if (code === 'container.name-taken') return '/name'
  const [subject = ''] = code.split('.')
  return subject === 'network' ? (ofType[String(details['type'])] ?? '/nets') : ofCode[subject]
}
