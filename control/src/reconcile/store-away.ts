import { Fault } from '@gantry/kernel'

/** It cannot be written at the moment, whatever is written: the store is out of reach, or its disk is full. */
export function isStoreAway(error: unknown): boolean {
  return error instanceof Fault && (error.code === 'store.unavailable' || error.code === 'store.full')
}
