import type { Caller } from '@gantry/model'
import type { DockerContext } from './context.ts'

// A first form, to be replaced by images in full.

export interface ImageSummary {
  readonly Id: string
  /** Bytes. */
  readonly Size: number
}

export async function imageSummaries(_docker: DockerContext, _caller: Caller, _minor: number): Promise<ImageSummary[]> {
  return []
}
