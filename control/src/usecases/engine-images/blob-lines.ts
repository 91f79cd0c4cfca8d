import { assertNever } from '@gantry/kernel'
import type { BlobProgress } from '../../catalogue.ts'
import type { ProgressLine } from './progress-lines.ts'

/** What an engine calls the states of a layer on its way. */
export interface BlobWords {
  readonly waiting: string
  readonly moving: string
  readonly present: string
  readonly done: readonly string[]
}

export const pullWords: BlobWords = {
  waiting: 'Pulling fs layer',
  moving: 'Downloading',
  present: 'Already exists',
  done: ['Download complete', 'Pull complete'],
}

export const pushWords: BlobWords = {
  waiting: 'Preparing',
  moving: 'Pushing',
  present: 'Layer already exists',
  done: ['Pushed'],
}

/** The lines of an engine's progress that tell of one blob. */
export function blobLines(words: BlobWords, { digest, state, current, total }: BlobProgress): ProgressLine[] {
  const id = digest.slice(digest.indexOf(':') + 1).slice(0, 12)
  const line = (status: string) => ({ status, progressDetail: {}, id })
  switch (state) {
    case 'moving':
      return [{ status: words.moving, progressDetail: { current, ...(total !== null && { total }) }, id }]
    case 'done':
      return words.done.map(line)
    case 'waiting':
    case 'present':
      return [line(words[state])]
    default:
      return assertNever(state, 'state of a blob')
  }
}
