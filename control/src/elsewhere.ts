import type { Caller, Image, ImageId, ImageVisibility, ProjectId } from '@gantry/model'
import type { ImageName } from './catalogue.ts'

/**
 * What another image service of the cloud says of entries of the catalogue: it is asked with the caller's rights, and its word counts.
 * In a cloud without one everything is as the catalogue has it.
 */
export interface Elsewhere {
  /**
   * The entry as it is by now there; null: it is gone, and its name here with it, or the caller may not see it any more. Content that was
   * lost here is fetched again.
   */
  current(caller: Caller, image: Image): Promise<Image | null>
  /** The image of that id that the caller may run; brought here if it was not. */
  byId(caller: Caller, id: string): Promise<Image | null>
  /** The image that `owner`, another project or the caller's, calls so; brought here if it was not. */
  ofProject(caller: Caller, owner: ProjectId, name: ImageName): Promise<Image | null>
  /** Before they are dropped here. Throws what the service refuses. */
  withdraw(caller: Caller, images: readonly Image[]): Promise<void>
  /** Before it is changed here. Throws what the service refuses. */
  change(
    caller: Caller,
    image: Image,
    change: { readonly name?: string; readonly visibility?: ImageVisibility },
  ): Promise<void>
  share(caller: Caller, id: ImageId, projectId: ProjectId): Promise<void>
  answer(caller: Caller, id: ImageId, projectId: ProjectId, status: 'accepted' | 'rejected' | 'pending'): Promise<void>
  unshare(caller: Caller, id: ImageId, projectId: ProjectId): Promise<void>
}
