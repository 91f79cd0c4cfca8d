import type { Host } from '@gantry/model'

/** Of the kernel's, Node's, OpenStack's and Debian's words, the one that images use (Go's). */
const names: Readonly<Partial<Record<string, string>>> = {
  x86_64: 'amd64',
  x64: 'amd64',
  aarch64: 'arm64',
  i386: '386',
  i486: '386',
  i586: '386',
  i686: '386',
  ia32: '386',
  armhf: 'arm',
  ppc64: 'ppc64le',
}

/** What else a processor runs, as containerd takes it to (`platforms.Only`). */
const alsoRuns: Readonly<Partial<Record<string, string>>> = { amd64: '386', arm64: 'arm' }

/** The word that images have for an architecture. */
export function architectureName(word: string): string {
  return names[word] ?? (/^armv\d/.test(word) ? 'arm' : word)
}

/** A host that emulates others says so by this label, with commas between them. */
const emulatedLabel = 'gantry.architectures'

/** Whether what was made for that architecture runs there; also if nobody knows what the host is. */
export function runsOn({ architecture, labels }: Host['facts'], made: string): boolean {
  const own = architectureName(architecture)
  const emulated = labels[emulatedLabel]?.split(',').map((word) => architectureName(word.trim())) ?? []
  return own === '' || [own, alsoRuns[own], ...emulated].includes(architectureName(made))
}
