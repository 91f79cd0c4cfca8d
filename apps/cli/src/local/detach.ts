import { fork } from 'node:child_process'
import { join } from 'node:path'
import { type Home, prepareHome } from './home.ts'
import { openLog } from './log-file.ts'
import { type Notice, type Progress, progressTo, screenOn } from './progress.ts'

/** Tells the process that it is the background half of `up --detach`. */
export const detachedMark = 'GANTRY_DETACHED'

type Told =
  | Notice
  | { readonly kind: 'ready' }
  | { readonly kind: 'let-go' }
  | { readonly kind: 'failed'; readonly text: string }

/**
 * Starts `up` in the background, in a session of its own, and shows its progress until it serves. Answers the exit code.
 * If this process ends first, the one in the background gives up.
 */
export async function upDetached(home: Home, module: string, args: readonly string[]): Promise<number> {
  await prepareHome(home)
  using screen = screenOn(process.stdout)
  using log = openLog(join(home.logs, 'up.log'))
  const env = { ...process.env, [detachedMark]: '1' }
  const child = fork(module, args, { cwd: home.root, detached: true, env, stdio: ['ignore', log.fd, log.fd, 'ipc'] })
  return await new Promise<number>((done, failed) => {
    child.once('error', failed).once('exit', (code) => done(code ?? 1))
    child.on('message', (message) => {
      const told = message as Told
      if (told.kind === 'ready') {
        child.disconnect()
        child.unref()
        done(0)
      } else if (told.kind === 'failed') process.stderr.write(`gantry: ${told.text}\n`)
      else if (told.kind !== 'let-go') screen.show(told)
    })
  })
}

export interface Background {
  readonly progress: Progress
  ready(): void
  failed(text: string): void
  /** Lets go of the front; an open channel would keep this process alive. */
  end(): void
}

/** The background half: tells the front until that has what it wants, and its own log from then on. */
export function inBackground(onFrontGone: () => void): Background {
  const screen = screenOn(process.stdout)
  let ready = false
  process.once('disconnect', () => {
    if (!ready) onFrontGone()
  })
  const tell = (told: Told): void => {
    if (process.connected) process.send?.(told, undefined, undefined, () => undefined)
  }
  return {
    progress: progressTo((notice) => {
      if (!ready) tell(notice)
      screen.show(notice)
    }),
    ready() {
      ready = true
      tell({ kind: 'ready' })
    },
    failed: (text) => tell({ kind: 'failed', text }),
    end() {
      // Messages keep their order, so what was told before is out when this one is.
      const letGo = (): void => {
        if (process.connected) process.disconnect?.()
      }
      if (process.connected) process.send?.({ kind: 'let-go' }, undefined, undefined, letGo)
    },
  }
}
