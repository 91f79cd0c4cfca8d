import type { ContainerView, DrainedView } from '@gantry/facade-native'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Api } from '../client/api.ts'
import { Failure } from '../failure.ts'

/** Returns when each of these runs on another host, or has ended otherwise; tells how many are left. */
export async function untilDrained(api: Api, host: string, moving: DrainedView['moving']): Promise<void> {
  let left = [...moving]
  while (left.length > 0) {
    process.stderr.write(`${left.length} of ${moving.length} still to move\n`)
    await sleep(1000)
    const still = await Promise.all(left.map(({ id }) => isMoving(api, host, id)))
    left = left.filter((_one, index) => still[index])
  }
}

async function isMoving(api: Api, host: string, id: string): Promise<boolean> {
  try {
    const container = await api.container(id)
    return container.status !== 'Error' && (!isElsewhere(container, host) || container.task !== null)
  } catch (error) {
    // A sandbox answers for its capsule, but is nobody's container.
    if (error instanceof Failure && error.code === 'container.not-found') return false
    throw error
  }
}

function isElsewhere(container: ContainerView, left: string): boolean {
  return container.host !== null && container.host !== left
}
