/** What a step shows: told to a terminal, or to the process in front of a detached one. */
export type Notice =
  | { readonly kind: 'begin'; readonly step: number; readonly text: string }
  | { readonly kind: 'detail'; readonly step: number; readonly text: string }
  | { readonly kind: 'end'; readonly step: number; readonly text: string; readonly ok: boolean; readonly ms: number }
  | { readonly kind: 'line'; readonly text: string }

/** Tells a person what happens and how long it took. */
export interface Progress {
  /** Shows `label` while `run` works, and `done(result)` (or the label) with the time it took at the end. */
  step<T>(label: string, run: (say: (detail: string) => void) => Promise<T>, done?: (result: T) => string): Promise<T>
  readonly line: (text: string) => void
}

export function progressTo(show: (notice: Notice) => void, now: () => number = () => performance.now()): Progress {
  let steps = 0
  return {
    line: (text) => show({ kind: 'line', text }),
    step: async (label, run, done) => {
      const step = (steps += 1)
      const began = now()
      const end = (text: string, ok: boolean): void => show({ kind: 'end', step, text, ok, ms: now() - began })
      show({ kind: 'begin', step, text: label })
      try {
        const result = await run((text) => text !== '' && show({ kind: 'detail', step, text }))
        end(done ? done(result) : label, true)
        return result
      } catch (error) {
        end(`${label}: not done`, false)
        throw error
      }
    },
  }
}

export interface Screen extends Disposable {
  readonly show: (notice: Notice) => void
}

interface Running {
  text: string
  detail: string
  readonly began: number
}

/**
 * On a terminal: one moving line for the steps under way. Elsewhere (a pipe, CI): a line at the end of each step, and one
 * every ten seconds while a slow one works.
 */
export function screenOn(out: NodeJS.WriteStream, now: () => number = () => performance.now()): Screen {
  const running = new Map<number, Running>()
  const moving = out.isTTY
  let tick: NodeJS.Timeout | undefined
  const wipe = (): void => void (moving && out.write('\r\u001B[K'))
  const print = (text: string): void => {
    wipe()
    out.write(`${text}\n`)
    if (moving) draw()
  }
  const draw = (): void => {
    const text = [...running.values()]
      .map((step) => `${step.text} ${seconds(now() - step.began)}${step.detail && ` · ${step.detail}`}`)
      .join(' | ')
    if (moving && text) out.write(`\r\u001B[K${spinner(now())} ${text}`.slice(0, Math.max(20, out.columns || 80)))
    if (!moving && text) out.write(`… ${text}\n`)
  }
  const schedule = (): void => {
    if (running.size === 0) {
      clearInterval(tick)
      tick = undefined
    } else tick ??= setInterval(draw, moving ? 100 : 10_000)
  }
  return {
    show(notice) {
      if (notice.kind === 'begin') running.set(notice.step, { text: notice.text, detail: '', began: now() })
      else if (notice.kind === 'detail') {
        const step = running.get(notice.step)
        if (step) step.detail = notice.text
      } else if (notice.kind === 'end') {
        running.delete(notice.step)
        print(`${notice.ok ? '✓' : '✗'} ${notice.text} (${seconds(notice.ms)})`)
      } else print(notice.text)
      schedule()
    },
    [Symbol.dispose]() {
      clearInterval(tick)
      running.clear()
      wipe()
    },
  }
}

function spinner(ms: number): string {
  return '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'.charAt(Math.floor(ms / 100) % 10)
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
