// What the package gives to whoever writes a handler: types alone, since handlers are called and call nothing.

export type {
  BatchHandler,
  Bytes,
  Handler,
  HandlerContext,
  HandlerModule,
  HandlerResult,
  Header,
  MessageRecord,
  RecordChanges
} from './transform/record.ts'
