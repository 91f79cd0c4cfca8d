import type { FinalState, Operation, Violation } from './history.ts'

/** A container that runs answers at the public port that was asked for it, and nobody else does. Pure. */
export function ofPorts(history: readonly Operation[], { projects, published }: FinalState): Violation[] {
  const asked = new Map(
    history.flatMap(({ verb, port, ...one }) => (verb === 'create' && port ? [[aboutOf(one), port]] : [])),
  )
  const running = projects.flatMap(({ project, containers }) =>
    containers.filter(({ status }) => status === 'Running').map(({ name }) => aboutOf({ project, name })),
  )
  return running.flatMap((about): Violation[] => {
    const port = asked.get(about)
    if (port === undefined) return []
    const found = published.find((one) => aboutOf(one) === about && one.port === port)
    if (!found) return [{ kind: 'wrong port', text: `${about} runs, and port ${port} does not lead to it.`, about }]
    const { answer } = found
    const [, name] = about.split('/')
    if (answer === name) return []
    const text = `At port ${port} of ${about} ${answer === null ? 'nobody answers' : `"${answer}" answers`}.`
    return [{ kind: 'wrong port', text, about }]
  })
}

const aboutOf = ({ project, name }: { readonly project: string; readonly name: string }) => `${project}/${name}`
