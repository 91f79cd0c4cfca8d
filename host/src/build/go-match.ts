/** Whether a path's text is a pattern. An escaped sign is none. */
export function hasWildcards(path: string): boolean {
  return /[*?[]/.test(path.replace(/\\./g, ''))
}

/** A pattern as Go's `filepath.Match` reads it: `*` and `?` stop at a slash, `[^a-z]`, a backslash escapes. null: not well formed. */
export function goPattern(pattern: string): RegExp | null {
  let source = ''
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern.charAt(at)
    if (char === '*') source += '[^/]*'
    else if (char === '?') source += '[^/]'
    else if (char === '[') {
      const [whole = '', not = '', inside = ''] = /^\[(\^?)((?:\\.|[^\]\\])+)\]/.exec(pattern.slice(at)) ?? []
      if (whole === '') return null
      source += `[${not}${inside.replace(/[[\]^]/g, '\\$&').replace(/\\\\(?=[[\]^])/g, '\\')}]`
      at += whole.length - 1
    } else if (char === '\\') {
      at += 1
      if (at >= pattern.length) return null
      source += literal(pattern.charAt(at))
    } else source += literal(char)
  }
  try {
    return new RegExp(`^${source}$`, 's')
  } catch {
    return null
  }
}

function literal(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}
