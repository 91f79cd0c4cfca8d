import { randomBytes, randomUUID } from 'node:crypto'

/** Randomness as an argument (see `Clock`). */
export interface Ids {
  /** A random UUID, version 4, lower case with dashes. */
  uuid(): string
  /** `bytes` random bytes as lower-case hex. */
  hex(bytes: number): string
}

export const randomIds: Ids = {
  uuid: () => randomUUID(),
  hex: (bytes) => randomBytes(bytes).toString('hex'),
}
