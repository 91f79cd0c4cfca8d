import { posix } from 'node:path'
import { goPattern } from './go-match.ts'

/** What a .dockerignore leaves out: the last pattern that fits a path or a folder above it counts, `!` takes back. */
export function ignoredBy(list: string): (path: string) => boolean {
  const rules = list
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#') && line.trim() !== '')
    .flatMap((line) => {
      const text = line.trim()
      const takesBack = text.startsWith('!')
      const pattern = posix.normalize(text.slice(takesBack ? 1 : 0).trim()).replace(/^\/+|\/+$/g, '')
      const match = matcherOf(pattern)
      return match ? [{ takesBack, match }] : []
    })
  return (path) => {
    const parts = path.split('/')
    const above = parts.map((_, index) => parts.slice(0, index + 1).join('/'))
    return rules.reduce((left, { takesBack, match }) => (above.some(match) ? !takesBack : left), false)
  }
}

/** `**` stands for any number of folders. */
function matcherOf(pattern: string): ((path: string) => boolean) | null {
  const parts = pattern.split('**').map((part) => goPattern(part))
  const sources = parts.map((part) => part?.source.slice(1, -1))
  if (sources.includes(undefined)) return null
  const whole = new RegExp(`^${sources.join('.*').replaceAll('.*\\/', '(?:.*\\/)?')}$`, 's')
  return (path) => whole.test(path)
}
