export interface Picked {
  /** Below the folder it is put into: `site/index.html`. */
  readonly path: string
  /** null: a folder without files. */
  readonly file: File | null
}

/** More than that at once is better sent as an archive. */
const mostFiles = 5000

export interface Dropped {
  readonly entries: readonly FileSystemEntry[]
  /** Of a source that has no entries: another program than a file manager. */
  readonly files: readonly File[]
}

/** To be called before the event is over: its items are gone afterwards. */
export function droppedBy({ items, files }: DataTransfer): Dropped {
  const entries = [...items].flatMap((item) => item.webkitGetAsEntry() ?? [])
  return { entries, files: entries.length === 0 ? [...files] : [] }
}

/** What was dropped, folders with all that is in them. */
export async function filesOf({ entries, files }: Dropped): Promise<readonly Picked[]> {
  const found: Picked[] = files.map((file) => ({ path: file.name, file }))
  for (const entry of entries) await walk(entry, '', found)
  return found
}

/** What was chosen; of a folder, all that is in it, as the browser tells it: without empty folders. */
export function pickedBy(files: readonly File[]): readonly Picked[] {
  return files.map((file) => ({ path: file.webkitRelativePath === '' ? file.name : file.webkitRelativePath, file }))
}

/** Throws a sentence. */
export function mustBeFew({ length }: readonly Picked[]): void {
  if (length > mostFiles)
    throw new Error(`More than ${mostFiles} files at once: pack them, and unpack them in the container.`)
}

async function walk(entry: FileSystemEntry, above: string, found: Picked[]): Promise<void> {
  const path = `${above}${entry.name}`
  mustBeFew(found)
  if (isFile(entry)) {
    found.push({ path, file: await new Promise((resolve, reject) => entry.file(resolve, reject)) })
  } else if (isFolder(entry)) {
    const children = await childrenOf(entry)
    if (children.length === 0) found.push({ path, file: null })
    for (const child of children) await walk(child, `${path}/`, found)
  }
}

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile
const isFolder = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory

/** A reader gives a hundred or so at a time, and none once there are no more. */
async function childrenOf(folder: FileSystemDirectoryEntry): Promise<readonly FileSystemEntry[]> {
  const reader = folder.createReader()
  const all: FileSystemEntry[] = []
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (some.length === 0) return all
    all.push(...some)
  }
}
