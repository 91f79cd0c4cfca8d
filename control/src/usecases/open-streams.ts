import type { Readable } from 'node:stream'
import { Fault } from '@gantry/kernel'
import type { ProjectId } from '@gantry/model'

/** Streams that one project may have open at once. A reader that does not read holds up to a stream's window in memory. */
export const mostStreams = 200

/** Counts the open streams of each project, so that no tenant can use up the memory and the connections of all. */
export interface OpenStreams {
  /** Runs `open` and counts what it gives until that is closed. Throws `project.busy` when there are too many. */
  opening<T>(project: ProjectId, open: () => Promise<T>, streamOf: (opened: T) => Readable | null): Promise<T>
}

export function openStreams(): OpenStreams {
  const counts = new Map<ProjectId, number>()
  const change = (project: ProjectId, by: number) => {
    const count = (counts.get(project) ?? 0) + by
    if (count === 0) counts.delete(project)
    else counts.set(project, count)
  }
  return {
    async opening(project, open, streamOf) {
      if ((counts.get(project) ?? 0) >= mostStreams) throw new Fault('project.busy', { limit: mostStreams })
      change(project, 1)
      let stream: Readable | null = null
      try {
        const opened = await open()
        stream = streamOf(opened)
        if (stream?.closed) stream = null
        stream?.once('close', () => change(project, -1))
        return opened
      } finally {
        if (!stream) change(project, -1)
      }
    },
  }
}
