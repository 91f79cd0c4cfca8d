import '@xterm/xterm/css/xterm.css'
import { FitAddon } from '@xterm/addon-fit'
import { Terminal } from '@xterm/xterm'
import { harmless, runsAtOnce } from './pasted.ts'
import type { Size } from './session.ts'

export interface Screen {
  readonly write: (output: Uint8Array | string) => void
  readonly clear: () => void
  readonly focus: () => void
  /** Types it, as if it had been pasted. */
  readonly paste: (text: string) => void
  readonly size: () => Size
  readonly dispose: () => void
}

interface ScreenEvents {
  readonly onInput: (text: string) => void
  readonly onResize: (size: Size) => void
  /** Something was pasted that would run at once: nothing is typed until `paste` is called. */
  readonly onDoubt: (text: string) => void
}

/** A terminal within `element`, as large as it. */
export function openScreen(element: HTMLElement, { onInput, onResize, onDoubt }: ScreenEvents): Screen {
  const terminal = new Terminal({
    cursorBlink: true,
    fontSize: 14,
    fontFamily: 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace',
    scrollback: 5000,
    screenReaderMode: false,
    minimumContrastRatio: 4.5,
    theme: { background: '#11161b', foreground: '#dce3ea' },
  })
  const fit = new FitAddon()
  terminal.loadAddon(fit)
  terminal.open(element)
  fit.fit()
  terminal.onData(onInput)
  terminal.onResize(({ rows, cols }) => onResize({ rows, columns: cols }))
  const watch = new ResizeObserver(() => fit.fit())
  watch.observe(element)
  const guard = (event: ClipboardEvent) => {
    // Before xterm's own listener, which would type all of it.
    event.preventDefault()
    event.stopPropagation()
    const text = harmless(event.clipboardData?.getData('text/plain') ?? '')
    if (runsAtOnce(text)) onDoubt(text)
    else terminal.paste(text)
  }
  element.addEventListener('paste', guard, { capture: true })
  return {
    write: (output) => terminal.write(output),
    clear: () => terminal.reset(),
    focus: () => terminal.focus(),
    paste: (text) => terminal.paste(text),
    size: () => ({ rows: terminal.rows, columns: terminal.cols }),
    dispose: () => {
      watch.disconnect()
      element.removeEventListener('paste', guard, { capture: true })
      terminal.dispose()
    },
  }
}
