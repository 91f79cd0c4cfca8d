import { Fault } from '@gantry/kernel'

/** What of one kind is under way on this server: everybody's, and each project's. A place is given back by calling what was answered, however often. */
export interface AtOnce {
  /** Throws `request.crowded` when there is no place. */
  take(): () => void
  /** A project may have half of the places, so that none can shut out all others. Throws `request.limited`. */
  takeOf(project: string): () => void
}

/** `what`: `requests`. `refused` hears what there was too much of. */
export function atOnce(most: number, what: string, refused: (limit: string) => void): AtOnce {
  if (most === 0) return { take: () => nothing, takeOf: () => nothing }
  const share = Math.ceil(most / 2)
  const projects = new Map<string, number>()
  let all = 0
  return {
    take() {
      if (all >= most) {
        refused(`${what} at the same time`)
        throw new Fault('request.crowded', { limit: most, what })
      }
      all += 1
      return once(() => (all -= 1))
    },
    takeOf(project) {
      const count = projects.get(project) ?? 0
      if (count >= share) {
        const limit = `${what} of your project at the same time`
        refused(limit)
        throw new Fault('request.limited', { limit, seconds: 1 })
      }
      projects.set(project, count + 1)
      return once(() => {
        const left = (projects.get(project) ?? 1) - 1
        if (left > 0) projects.set(project, left)
        else projects.delete(project)
      })
    },
  }
}

function nothing(): void {}

function once(act: () => void): () => void {
  let isDone = false
  return () => {
    if (!isDone) act()
    isDone = true
  }
}
