import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { Fault, limiter } from '@gantry/kernel'

/** OWASP's argon2id floor: 19 MiB and 2 passes, about 35 ms of one core. Kept in each hash, so it can be raised. */
const cost: Cost = { memory: 19_456, passes: 2, parallelism: 1 }
const tagBytes = 32
/** Together they hold 38 MiB and half of the thread pool. */
const width = 2
const maxWaiting = 100

interface Cost {
  /** KiB. */
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
}

export interface Passwords {
  /** `$argon2id$v=19$m=…,t=…,p=…$salt$tag`. */
  readonly hash: (secret: string) => Promise<string>
  /**
   * Takes equally long without a hash (no such user), and is then false. `gate` runs right before the work, after any
   * wait in the queue, and may throw to refuse it. Throws `auth.busy` when too many wait.
   */
  readonly matches: (secret: string, hash: string | undefined, gate?: () => void) => Promise<boolean>
}

/** Hashes in the thread pool, a bounded number at once. */
export function passwords(): Passwords {
  const inTurn = limiter(width)
  let waiting = 0
  const bounded = async <T>(task: () => Promise<T>): Promise<T> => {
    if (waiting >= maxWaiting) throw new Fault('auth.busy')
    waiting += 1
    try {
      return await inTurn(task)
    } finally {
      waiting -= 1
    }
  }
  return {
    hash: (secret) =>
      bounded(async () => {
        const salt = randomBytes(16)
        return toText(cost, salt, await derive(secret, salt, cost))
      }),
    matches: (secret, hash, gate) =>
      bounded(async () => {
        gate?.()
        const parsed = hash === undefined ? undefined : fromText(hash)
        const tag = await derive(secret, parsed?.salt ?? Buffer.alloc(16), parsed?.cost ?? cost)
        return parsed !== undefined && parsed.tag.length === tag.length && timingSafeEqual(parsed.tag, tag)
      }),
  }
}

function derive(secret: string, nonce: Buffer, { memory, passes, parallelism }: Cost): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parameters = { message: secret, nonce, memory, passes, parallelism, tagLength: tagBytes }
    argon2('argon2id', parameters, (error, tag) => (error ? reject(error) : resolve(tag)))
  })
}

function toText({ memory, passes, parallelism }: Cost, salt: Buffer, tag: Buffer): string {
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(salt)}$${base64(tag)}`
}

function fromText(text: string): { cost: Cost; salt: Buffer; tag: Buffer } | undefined {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([\w+/]+)\$([\w+/]+)$/.exec(text)
  if (!match) return undefined
  const [memory, passes, parallelism] = match.slice(1, 4).map(Number)
  const [salt, tag] = match.slice(4).map((part) => Buffer.from(part, 'base64'))
  if (!memory || !passes || !parallelism || !salt || !tag) return undefined
  return { cost: { memory, passes, parallelism }, salt, tag }
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}
