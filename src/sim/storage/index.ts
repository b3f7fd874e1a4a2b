export { type Bucket, deepFreeze, Store, type StoreEvent } from './store.ts';
