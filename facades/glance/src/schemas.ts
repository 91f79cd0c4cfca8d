import { imageVisibilities } from '@gantry/model'
import { containerFormats, diskFormats } from './image-fields.ts'

const readOnly = { readOnly: true } as const
const text = { type: 'string' } as const
const textOrNull = { type: ['null', 'string'], maxLength: 255 } as const
const number = { type: 'integer' } as const
const uuid = { type: 'string', pattern: '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' } as const

/** By it clients check what they send and show: JSON Schema as Glance answers it. */
export const imageSchema = {
  name: 'image',
  properties: {
    id: { ...uuid, description: 'An identifier for the image' },
    name: { ...textOrNull, description: 'Descriptive name for the image' },
    status: {
      ...text,
      ...readOnly,
      enum: ['queued', 'saving', 'active', 'deleted'],
      description: 'Status of the image',
    },
    visibility: { ...text, enum: [...imageVisibilities, 'community'], description: 'Scope of image accessibility' },
    owner: { ...textOrNull, description: 'Owner of the image' },
    protected: { type: 'boolean', description: 'If true, image will not be deletable.' },
    os_hidden: { type: 'boolean', description: 'If true, image will not appear in default image list response.' },
    tags: { type: 'array', items: { ...text, maxLength: 255 }, description: 'List of strings related to the image' },
    container_format: {
      type: ['null', 'string'],
      enum: [null, ...containerFormats],
      description: 'Format of the container',
    },
    disk_format: { type: ['null', 'string'], enum: [null, ...diskFormats], description: 'Format of the disk' },
    min_disk: { ...number, description: 'Amount of disk space (in GB) required to boot image.' },
    min_ram: { ...number, description: 'Amount of ram (in MB) required to boot image.' },
    size: { type: ['null', 'integer'], ...readOnly, description: 'Size of image file in bytes' },
    virtual_size: { type: ['null', 'integer'], ...readOnly, description: 'Virtual size of image in bytes' },
    checksum: { type: ['null', 'string'], ...readOnly, maxLength: 32, description: 'md5 hash of image contents.' },
    os_hash_algo: { type: ['null', 'string'], ...readOnly, maxLength: 64, description: 'Algorithm of os_hash_value' },
    os_hash_value: { type: ['null', 'string'], ...readOnly, maxLength: 128, description: 'Hash of image contents' },
    created_at: { ...text, ...readOnly, description: 'Date and time of image registration' },
    updated_at: { ...text, ...readOnly, description: 'Date and time of the last image modification' },
    self: { ...text, ...readOnly, description: 'An image self url' },
    file: { ...text, ...readOnly, description: 'An image file url' },
    schema: { ...text, ...readOnly, description: 'An image schema url' },
  },
  additionalProperties: { type: 'string' },
  links: [
    { href: '{self}', rel: 'self' },
    { href: '{file}', rel: 'enclosure' },
    { href: '{schema}', rel: 'describedby' },
  ],
}

export const memberSchema = {
  name: 'member',
  properties: {
    image_id: { ...uuid, description: 'An identifier for the image' },
    member_id: { ...text, description: 'An identifier for the image member (tenantId)' },
    status: { ...text, enum: ['pending', 'accepted', 'rejected'], description: 'The status of this image member' },
    created_at: { ...text, description: 'Date and time of image member creation' },
    updated_at: { ...text, description: 'Date and time of last modification of image member' },
    schema: { ...text, readOnly: true },
  },
}
