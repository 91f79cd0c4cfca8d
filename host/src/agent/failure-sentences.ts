import type { Assignment, Failure, StepKind } from '@gantry/model'

type Sentence = (match: RegExpMatchArray, assignment: Assignment) => string

/** What engines say, and what a user should read instead. The first that fits wins. */
const sentences: readonly (readonly [RegExp, Sentence])[] = [
  [
    /exec: "?([^":]+)"?: (?:executable file not found|stat .*no such file or directory|no such file or directory)/,
    ([, program = '']) => `The image has no program "${program}"; check the command and the entrypoint.`,
  ],
  // crun's words, here and below; those before are runc's.
  [
    /executable file `([^`]+)` not found/,
    ([, program = '']) => `The image has no program "${program}"; check the command and the entrypoint.`,
  ],
  [
    /open executable: (?:Operation not permitted|Permission denied)/,
    (_match, { spec }) =>
      `"${spec.entrypoint?.[0] ?? spec.command?.[0] ?? 'The command'}" cannot be run: it is not an executable file.`,
  ],
  [
    /setrlimit `(\w+)`: Operation not permitted/,
    ([, limit = '']) =>
      `The engine may not grant the ${limit} it is set to; its operator must lower default_ulimits in containers.conf.`,
  ],
  [
    /cgroups in hybrid mode not supported/,
    () => 'crun cannot use a host with control groups of both versions; its operator must set the runtime to runc.',
  ],
  [
    /(?:crun|runc) update .*failed/s,
    () => 'The engine could not change the limits; most often the container uses more memory than the new limit.',
  ],
  [
    /exec: "?([^":]+)"?: permission denied|exec: "?([^":]+)"?: is a directory/,
    ([, program, folder]) => `"${program ?? folder ?? ''}" cannot be run: it is not an executable file.`,
  ],
  [/exec format error/, () => 'The program was built for another processor type than this host has.'],
  [
    /[Mm]inimum memory limit (?:allowed )?is (\d+ ?MB)/,
    ([, least = '']) => `The memory limit is too small; the engine needs at least ${least}.`,
  ],
  [
    /[Rr]ange of CPUs is from ([\d.]+) to ([\d.]+)/,
    ([, least = '', most = ''], { spec }) =>
      `${spec.cpu} cores cannot be had on this host; it allows ${least} to ${most}.`,
  ],
  [/no space left on device/, () => 'The disk of the host is full.'],
  [/device or resource busy/, () => 'The memory limit is below what the container uses now.'],
  [/port is already allocated|address already in use/, () => 'A port it needs is already in use on the host.'],
  [
    /name "?\/?([^" ]+)"? is already in use/,
    ([, name = '']) => `The engine already has another container named ${name}.`,
  ],
  [/unable to find user ([^:]+)/, ([, user = '']) => `The image has no user ${user}.`],
  [/[Uu]nknown runtime specified (\S+)/, ([, runtime = '']) => `This host has no container runtime ${runtime}.`],
  [/mkdir \S*\/merged\/\S*: not a directory/, () => 'The working directory is not a directory in the image.'],
  [/cannot set property|unable to apply caps/, () => 'The host does not allow this container the rights it asks for.'],
]

/** Whether we know what such a refusal means: then trying again is no use. Pure. */
export function isKnownRefusal(message: string): boolean {
  return !ours.test(message) && sentences.some(([pattern]) => pattern.test(message))
}

/** Turns what the engine said about a step into a sentence for the user. Pure. */
export function failureOf(step: StepKind, message: string, assignment: Assignment): Failure {
  if (ours.test(message)) return { step, reason: message }
  for (const [pattern, sentence] of sentences) {
    const match = message.match(pattern)
    if (match) return { step, reason: sentence(match, assignment) }
  }
  const text = message.trim().replace(/^Error response from daemon: /, '')
  if (step === 'pull') {
    return { step, reason: `Image ${assignment.spec.image} is not on the host and could not be pulled: ${text}` }
  }
  return { step, reason: `The engine could not ${verbs[step] ?? step} the container: ${text}` }
}

const verbs: Partial<Record<StepKind, string>> = {
  update: 'change the limits of',
  connect: 'plug a network into',
  disconnect: 'unplug a network from',
}

/** What the host's own parts say is a sentence already. */
const ours = /^(?:Network|Port|Volume) \S+ |^The file for |^The host's records |^A mount cannot /
