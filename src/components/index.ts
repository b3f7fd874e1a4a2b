/** What lessons may use; see README.md in this folder. */
export { default as Check } from './Check.astro';
export { default as Guarantee } from './Guarantee.astro';
export { default as Pitfall } from './Pitfall.astro';
export { default as Predict } from './Predict.astro';
export { default as Source } from './Source.astro';
export { default as Step } from './Step.astro';
export { default as Term } from './Term.astro';
export { default as Twins } from './Twins.astro';
