import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseImageName } from '@gantry/model'
import { isStatus } from './engine-error.ts'
import type { ImageApi } from './images.ts'
import { type NameHolds, nameHolds } from './name-holds.ts'

const lastMomentMs = 2000

type Names = Pick<ImageApi, 'inspect' | 'tag' | 'remove'>

/** A public name that stands for one project's own image until it is given back. */
export interface BorrowedName {
  /**
   * The name means again what it meant before, or nothing. Call it once, whatever happened. `broken`: an engine that was told to
   * stop may still give the name away in its last moment.
   */
  giveBack(broken?: boolean): Promise<void>
}

/**
 * Public names of the engine that are used for a while for what is not public: while an image is pulled with a password, or
 * pushed. Nobody else runs, pulls or pushes such a name meanwhile, and one that a killed agent left is given back at its next start.
 */
export interface BorrowedNames extends Pick<NameHolds, 'free'> {
  borrow(images: Names, name: string, signal: AbortSignal): Promise<BorrowedName>
  /** Gives back what an earlier process borrowed: once, before anything is run. */
  recover(images: Names): Promise<void>
}

interface Loan {
  readonly name: string
  /** The engine's id of what the name meant; null: nothing. */
  readonly before: string | null
}

/** `folder` null: what is borrowed is not written down (for tests). */
export function borrowedNames(folder: string | null = null): BorrowedNames {
  const holds = nameHolds()
  const fileOf = (name: string) =>
    folder === null ? null : join(folder, `${createHash('sha256').update(name).digest('hex')}.json`)
  return {
    free: (name, signal) => holds.free(name, signal),
    async borrow(images, name, signal) {
      const held = await holds.hold(name, signal)
      const file = fileOf(name)
      try {
        const loan: Loan = { name, before: await idOf(images, name, signal) }
        if (file !== null) await written(file, loan)
        return {
          async giveBack(broken = false) {
            try {
              // Not ended by anybody's signal: the name must not stay with another's image.
              await restore(images, loan)
              if (broken) {
                await sleep(lastMomentMs)
                await restore(images, loan)
              }
              if (file !== null) await rm(file, { force: true })
            } finally {
              held[Symbol.dispose]()
            }
          },
        }
      } catch (error) {
        held[Symbol.dispose]()
        throw error
      }
    },
    async recover(images) {
      if (folder === null) return
      for (const entry of await readdir(folder).catch(() => [])) {
        const file = join(folder, entry)
        const loan = loanIn(await readFile(file, 'utf8'))
        if (loan) await restore(images, loan)
        await rm(file, { force: true })
      }
    },
  }
}

async function written(file: string, loan: Loan): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true, mode: 0o700 })
  await writeFile(file, JSON.stringify(loan), { mode: 0o600 })
}

/** null: its writer was killed in the middle, before anything was borrowed. */
function loanIn(text: string): Loan | null {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || !('name' in value) || !('before' in value)) return null
    const { name, before } = value
    return typeof name === 'string' && (before === null || typeof before === 'string') ? { name, before } : null
  } catch {
    return null
  }
}

/** null: the engine has no image of that name. */
export async function idOf(images: Pick<Names, 'inspect'>, ref: string, signal: AbortSignal): Promise<string | null> {
  try {
    return (await images.inspect(ref, signal)).Id
  } catch (error) {
    if (isStatus(error, 404)) return null
    throw error
  }
}

async function restore(images: Names, { name, before }: Loan): Promise<void> {
  const { repo, tag } = parseImageName(name)
  if (before !== null && !tag.includes(':')) await images.tag(before, repo, tag)
  else if (before === null) {
    await images.remove(name).catch((error: unknown) => {
      if (!isStatus(error, 404)) throw error
    })
  }
}
