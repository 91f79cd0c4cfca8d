import type { Connection } from '@gantry/model'
import type { Context } from '@gantry/openstack'

/** A volume of Docker's as the service that keeps it has it. */
export interface RemoteEntry {
  readonly id: string
  /** Docker's name for it, and its name there. */
  readonly name: string
  /** GiB. */
  readonly size: number
  /** The service's own word. */
  readonly status: string
  /** null: it is not for us to give it one. */
  readonly fsType: string | null
  /** Hosts that have it, and machines that do, as they are to be named to a user. */
  readonly places: readonly string[]
  /** This host is one of them. */
  readonly isHere: boolean
  /** As the service writes it. */
  readonly createdAt: string | null
  /** More that `docker volume inspect` is to show. */
  readonly details: Readonly<Record<string, string>>
}

/** What `docker volume create --opt …` says. */
export interface Wish {
  /** GiB; null: the user said nothing. */
  readonly size: number | null
  /** `volume_id`: one that is there already, to become this volume of Docker's. */
  readonly adopt: string | null
  /** All others, each one of `optionNames`. */
  readonly words: Readonly<Record<string, string>>
}

/** What this host remembers of its access to a volume, so that a later process finds it. */
export interface Access {
  /** The id of an attachment or an access rule; null: none that is known of. */
  readonly id: string | null
  /** Written, safe on disk, when it resolves. To be called with what was made before anything is done by it. */
  readonly note: (id: string) => Promise<void>
}

/** How this host gets at a volume's data. */
export interface Reach {
  readonly connection: Connection
  /** Ignored for a share. */
  readonly fsType: string
  /** It was made by the plugin with nothing in it, and no host has ever mounted it. */
  readonly blank: boolean
  readonly readOnly: boolean
}

/**
 * A service that keeps volumes for Docker, in one project, for this host. Everything may be repeated after a kill at any point.
 * Calls for one volume do not overlap on this host; other hosts do what they like. Refusals are `PluginRefusal`s, errors of the
 * service are thrown as they come.
 */
export interface FuxiBackend {
  readonly name: 'cinder' | 'manila'
  /** What `--opt` may say beside `volume_provider`, `size` and `volume_id`. */
  readonly optionNames: readonly string[]
  /** Everything in the project that the plugin, here or on another host, made or adopted. */
  list(context: Context): Promise<RemoteEntry[]>
  /** Asked now; null: there is none. Refuses a name that several have. */
  find(name: string, context: Context): Promise<RemoteEntry | null>
  /**
   * Makes it, or adopts what the wish names; resolves when it may be mounted. One of that name that is there already is the answer,
   * unless the wish contradicts it. What fails to be made is removed again.
   */
  make(name: string, wish: Wish, context: Context): Promise<RemoteEntry>
  /** Lets this host at it, as it was let before if it was. Refuses, naming who has it, if it may not be here as well. */
  connect(entry: RemoteEntry, access: Access, context: Context): Promise<Reach>
  /** It is mounted here. */
  complete(volumeId: string, accessId: string, context: Context): Promise<void>
  /** This host is done with it. `accessId` null: whatever of this host's is found there. False: there was nothing. */
  disconnect(volumeId: string, accessId: string | null, context: Context): Promise<boolean>
  /** Deletes it, and resolves when it is gone. Refuses, naming who has it, if somebody does. */
  remove(entry: RemoteEntry, context: Context): Promise<void>
}
