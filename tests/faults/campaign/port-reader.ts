import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Client, User } from './client.ts'
import type { ProjectState, Published } from './history.ts'
import type { Machine } from './network.ts'
import { eventually } from './waiting.ts'

const run = promisify(execFile)
/** A server in a container that was started a moment ago listens soon. */
const patienceSeconds = 20

interface Line {
  readonly Names: readonly string[]
  readonly Ports: readonly { readonly IP?: string; readonly PublicPort?: number }[]
}

/** Every public port of a project's running containers, asked on the machine of its host. */
export async function publishedOf(
  client: Client,
  user: User,
  { project, containers }: ProjectState,
  machines: readonly Machine[],
): Promise<Published[]> {
  const { status, text, json } = await client.ask(user, { at: 'docker', method: 'GET', path: '/containers/json' })
  if (status !== 200) throw new Error(`GET /containers/json: ${status} ${text}`)
  const ports = (json as Line[]).flatMap(({ Names, Ports }) => {
    const name = (Names[0] ?? '').slice(1)
    return Ports.flatMap(({ IP, PublicPort }) => (IP && PublicPort ? [{ name, address: IP, port: PublicPort }] : []))
  })
  return Promise.all(
    ports.map(async ({ name, address, port }) => {
      const host = containers.find((one) => one.name === name)?.host
      const machine = machines.find((one) => one.name === host)
      return { project, name, port, answer: machine ? await answerOf(machine, name, address, port) : null }
    }),
  )
}

/** The first line that is said there; what is not the name is asked for again for a while. */
async function answerOf({ netns }: Machine, name: string, address: string, port: number): Promise<string | null> {
  let answer: string | null = null
  const ask = ['curl', '--silent', '--show-error', '--fail', '--max-time', '5', `http://${address}:${port}/`]
  await eventually(async () => {
    answer = await run('nsenter', [`--net=${netns}`, ...ask]).then(
      ({ stdout }) => stdout.split('\n')[0] ?? '',
      () => null,
    )
    return answer === name
  }, patienceSeconds)
  return answer
}
