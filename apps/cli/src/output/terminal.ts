export interface Size {
  readonly rows: number
  readonly columns: number
}

/**
 * Hands every key of this terminal to whoever reads stdin, and calls `resize` with the size of the window now and whenever
 * it changes. Answers with the undoing.
 */
export function useTerminal(resize: (size: Size) => void): () => void {
  const { stdin, stdout } = process
  const tell = (): void => resize(windowSize())
  stdin.setRawMode(true)
  stdout.on('resize', tell)
  tell()
  return () => {
    stdout.off('resize', tell)
    stdin.setRawMode(false)
  }
}

export function windowSize(): Size {
  // Neither is there when stdout is no terminal.
  const { rows, columns }: Partial<Size> = process.stdout
  return { rows: rows ?? 24, columns: columns ?? 80 }
}
