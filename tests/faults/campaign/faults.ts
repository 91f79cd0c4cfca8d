import { canSetClocks, type Program } from './program.ts'
import type { Random } from './random.ts'
import { delay } from './waiting.ts'
import type { World } from './world.ts'

/** Something that can be done to a part, and undone. */
export interface Fault {
  /** Counted by it: `kill -9 a server`. */
  readonly kind: string
  /** The part: a process, a line, or an engine or database with its disk. One fault at a time for each. */
  readonly on: string
  begin(): Promise<void>
  end(): Promise<void>
}

/** One fault that was, for the log of a campaign. */
export interface Suffered {
  readonly kind: string
  readonly on: string
  readonly from: number
  readonly to: number
}

/** Every fault that a world can suffer. */
export function faultsOf(world: World, random: Random): Fault[] {
  const { database } = world
  const programs = [
    ...world.servers.map(({ program }) => ({ program, title: 'a server' })),
    ...world.hosts.map(({ agent }) => ({ program: agent, title: 'an agent' })),
  ]
  const machines = [
    ...world.servers.map(({ machine }) => ({ machine, title: "a server's machine" })),
    ...world.hosts.map(({ machine }) => ({ machine, title: 'a host' })),
    ...(database ? [{ machine: database.machine, title: "the database's machine" }] : []),
  ]
  const disks = [...world.hosts.map(({ disk }) => disk), ...(database ? [database.disk] : [])]
  return [
    ...programs.flatMap(({ program, title }) => ofProgram(program, title, random)),
    ...machines.flatMap(({ machine, title }): Fault[] => [
      {
        kind: `cut off ${title}`,
        on: `${machine.name}'s line`,
        begin: () => machine.plug(false),
        end: () => machine.plug(true),
      },
      {
        kind: `lose packets of ${title}`,
        on: `${machine.name}'s line`,
        begin: () => machine.lose(random.between(0.1, 0.5)),
        end: () => machine.lose(0),
      },
      {
        kind: `slow the line of ${title}`,
        on: `${machine.name}'s line`,
        begin: () => machine.slow(Math.round(random.between(32, 256))),
        end: () => machine.slow(null),
      },
    ]),
    ...world.hosts.map(
      ({ engine, machine }): Fault => ({
        kind: 'kill -9 an engine',
        on: machine.name,
        begin: () => engine.kill9(),
        end: () => engine.restart(),
      }),
    ),
    ...disks.map(
      (disk): Fault => ({
        kind: disk.name === 'database' ? "fill the database's disk" : "fill a host's disk",
        on: disk.name,
        begin: () => disk.fill(),
        async end() {
          await disk.free()
          // A database that could not write its log has ended.
          if (disk.name === 'database') await database?.process.start()
        },
      }),
    ),
    ...(database
      ? [
          {
            kind: 'kill -9 the database',
            on: database.disk.name,
            begin: () => database.process.kill9(),
            end: () => database.process.start(),
          },
          {
            kind: 'pause the database',
            on: database.disk.name,
            begin: () => database.process.pause(true),
            end: () => database.process.pause(false),
          },
        ]
      : []),
  ]
}

function ofProgram(program: Program, title: string, random: Random): Fault[] {
  const on = program.name
  return [
    { kind: `kill -9 ${title}`, on, begin: () => program.kill9(), end: () => program.start() },
    {
      kind: `pause ${title}`,
      on,
      begin: async () => program.pause(true),
      end: async () => program.pause(false),
    },
    ...(canSetClocks
      ? [
          {
            kind: `set the clock of ${title}`,
            on,
            begin: () => program.setClock(random.pick([-300, -30, -5, 5, 30, 300])),
            end: () => program.setClock(0),
          },
        ]
      : []),
  ]
}

export interface FaultOptions {
  readonly faults: readonly Fault[]
  readonly random: Random
  /** So many at a time. */
  readonly lanes: number
  /** Milliseconds that one lasts, at most. */
  readonly longest: number
  readonly now: () => number
  readonly note: (suffered: Suffered) => void
  readonly signal: AbortSignal
}

/** Lets the world suffer, in several lanes, each kind about as often as the others, until the signal; then all is mended. */
export async function suffer(options: FaultOptions): Promise<void> {
  const { faults, random, lanes, longest, now, note, signal } = options
  const kinds = [...new Set(faults.map(({ kind }) => kind))]
  const struck = new Set<string>()
  let bag: string[] = []

  /** Null: all parts that could suffer it do already. */
  function draw(): Fault | null {
    if (bag.length === 0) bag = [...kinds]
    const kind = random.pick(bag)
    bag.splice(bag.indexOf(kind), 1)
    const free = faults.filter((fault) => fault.kind === kind && !struck.has(fault.on))
    return free.length > 0 ? random.pick(free) : null
  }
  async function lane(): Promise<void> {
    while (!signal.aborted) {
      await pause(random.between(200, 2000), signal)
      const fault = draw()
      if (!fault || signal.aborted) continue
      struck.add(fault.on)
      const from = now()
      const lasting = random.between(500, longest)
      try {
        await fault.begin()
        await pause(lasting, signal)
      } finally {
        await fault.end()
        struck.delete(fault.on)
        note({ kind: fault.kind, on: fault.on, from, to: now() })
      }
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

/** Ends early with the signal. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const end = performance.now() + ms
  while (!signal.aborted && performance.now() < end) await delay(Math.min(100, ms))
}
