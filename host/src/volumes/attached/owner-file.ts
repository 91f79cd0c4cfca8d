import { readFile } from 'node:fs/promises'

export const endingOfOwnerFile = '.mounted-by'

/** Beside a file: who has it locked, for those who want it too. Says nothing by itself: the lock does. */
export function ownerFile(file: string): string {
  return `${file}${endingOfOwnerFile}`
}

/** Another machine has it, and nobody else gets it before that lets go. */
export class MountedElsewhere extends Error {
  override readonly name = 'MountedElsewhere'
}

/** What the others are told. */
export async function isLockedBy(file: string, cause: Error): Promise<Error> {
  const owner = (await readFile(ownerFile(file), 'utf8').catch(() => '')).trim()
  return new MountedElsewhere(`It is mounted on ${owner === '' ? 'another host' : `host ${owner}`}.`, { cause })
}
