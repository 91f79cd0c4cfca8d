import type { Operation, Violation, VolumeRead } from './history.ts'

/** What was written to volumes and acknowledged is there after all of their containers are gone. Pure. */
export function ofVolumes(history: readonly Operation[], read: readonly VolumeRead[]): Violation[] {
  return history.flatMap((operation, at): Violation[] => {
    const { verb, outcome, status, project, volume } = operation
    if (volume === undefined) return []
    const found = read.find((one) => one.project === project && one.volume === volume)
    const about = `${project}/${operation.name}`
    const lost = (text: string): Violation[] => [{ kind: 'lost', text, about }]
    const title = `Volume ${volume} of ${project}`
    if (verb === 'volume' && outcome === 'done') {
      if (!found) return lost(`${title} was promised and is not there.`)
      return found.files ? [] : lost(`${title} cannot be read: ${found.problem}.`)
    }
    if (verb === 'create' && status === 404 && isPromised(history.slice(0, at), operation)) {
      return lost(`${title} was promised, then a container was refused it: ${operation.text}`)
    }
    return found?.files && isLost(operation, found.files)
      ? lost(`${title} has no line "${operation.line}" in ${operation.file}, and it was written.`)
      : []
  })
}

function isPromised(before: readonly Operation[], { project, volume }: Operation): boolean {
  return before.some(
    (one) => one.verb === 'volume' && one.project === project && one.volume === volume && one.outcome === 'done',
  )
}

function isLost({ verb, outcome, exitCode, file, line }: Operation, files: ReadonlyMap<string, string>): boolean {
  if (verb !== 'write' || outcome !== 'done' || exitCode !== 0 || file === undefined) return false
  return files.get(file) !== line
}
