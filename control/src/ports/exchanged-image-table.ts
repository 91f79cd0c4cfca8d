import type { ImageId, ProjectId } from '@gantry/model'

/** That an entry of the catalogue is also an image of the cloud's image service, under the same id. */
export interface ExchangedImage {
  readonly id: ImageId
  readonly projectId: ProjectId
  /** Where it was first: made here and sent there, or the other way round. */
  readonly origin: 'made' | 'taken'
  /** `due`: its content has still to be sent there. */
  readonly state: 'due' | 'done'
  /** Its name there, as far as is known here. */
  readonly name: string
  /** Of its content there; null: not known, or made here. */
  readonly hash: string | null
  readonly createdAt: number
}

export interface ExchangedImageTable {
  /** Writes it whether or not it is there. */
  put(image: ExchangedImage): Promise<void>
  get(id: ImageId): Promise<ExchangedImage | undefined>
  remove(id: ImageId): Promise<void>
  /** Those whose content has to be sent, oldest first. */
  due(): Promise<ExchangedImage[]>
  /** In the order of their making. */
  list(): Promise<ExchangedImage[]>
}
