import type { Container } from '@gantry/model'
import type { Deps } from '../deps.ts'
import type { Tables } from '../ports/store.ts'

/** Takes a container out of the store and gives back its ports and volumes; its actions stay, as the audit. */
export async function forgetContainer(
  { networks, volumes }: Pick<Deps, 'networks' | 'volumes'>,
  tables: Tables,
  { id, capsule }: Container,
): Promise<void> {
  await tables.containers.remove(id)
  await networks.release(tables, id)
  await volumes.release(tables, id)
  if (capsule && (await tables.capsules.members(capsule.capsuleId)).length === 0) {
    await tables.capsules.remove(capsule.capsuleId)
  }
}
