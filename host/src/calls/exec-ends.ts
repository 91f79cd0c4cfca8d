/** Tells those who wait for the end of an exec that the engine has announced it. */
export interface ExecEnds {
  /** Resolves when the engine announces the end (or when its announcements were interrupted: then look again). */
  wait(execId: string): { readonly ended: Promise<void>; forget(): void }
  ended(execId: string): void
  /** The announcements were interrupted: everybody looks for himself. */
  lost(): void
}

export function execEnds(): ExecEnds {
  const waiting = new Map<string, () => void>()
  return {
    wait: (execId) => ({
      ended: new Promise((resolve) => waiting.set(execId, resolve)),
      forget: () => waiting.delete(execId),
    }),
    // Podman does not name the exec: then all look.
    ended: (execId) => {
      if (execId === '') for (const resume of waiting.values()) resume()
      else waiting.get(execId)?.()
    },
    lost: () => {
      for (const resume of waiting.values()) resume()
    },
  }
}
