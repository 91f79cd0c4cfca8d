import type { Control } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Caller, Container } from '@gantry/model'
import { Refusal } from './errors.ts'
import { dockerId, uuidOf } from './ids.ts'

/** A whole id first, then a name, then the beginning of an id: the engine's own order. */
export async function findContainer({ containers }: Control, caller: Caller, asked: string): Promise<Container> {
  const ref = asked.replace(/^\//, '')
  const missing = new Fault('container.not-found', { ref: asked })
  if (ref === '') throw missing
  const uuid = /^[0-9a-f]{64}$/.test(ref) ? uuidOf(ref) : undefined
  const named = await containers.get(caller, uuid ?? ref).catch(unlessMissing)
  if (named) return named
  if (!/^[0-9a-f]{1,64}$/.test(ref)) throw missing
  const found = await containers.withIdPrefix(caller, ref.slice(0, 32))
  const [first, second] = found.filter(({ id }) => dockerId(id).startsWith(ref))
  if (!first) throw missing
  if (second) throw new Refusal(400, `multiple IDs found with provided prefix: ${ref}`)
  return first
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof Fault && error.code === 'container.not-found') return undefined
  throw error
}
