import { Fault } from '@gantry/kernel'
import type { Caller } from '@gantry/model'
import type { Zun } from './context.ts'
import { Refusal } from './errors.ts'

/** The ids of security groups given by id or name, each once. Zun answers an unknown one with 400. */
export async function groupIds(zun: Zun, caller: Caller, refs: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const ref of refs) found.push((await findGroup(zun, caller, ref)).id)
  return [...new Set(found)]
}

async function findGroup({ control }: Zun, caller: Caller, ref: string) {
  try {
    return await control.network.groups.get(caller, ref)
  } catch (error) {
    if (error instanceof Fault && error.kind === 'not-found') throw new Refusal(400, 'invalid-value', error.message)
    throw error
  }
}
