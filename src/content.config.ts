import { defineCollection } from 'astro:content';
import { docsSchema } from '@astrojs/starlight/schema';
import { glob } from 'astro/loaders';
import { z } from 'astro/zod';

export const collections = {
  docs: defineCollection({
    loader: glob({ base: './content', pattern: '**/[^_]*.{md,mdx}' }),
    schema: docsSchema({
      extend: z.object({
        /** Name of a folder in labs/: the lab that stands beside this lesson. */
        lab: z.string().optional(),
        /** Reading and doing, in minutes. */
        minutes: z.number().int().positive().optional(),
        /** What the reader can do afterwards, one sentence each (inline Markdown: `code` and **strong**). */
        goals: z.array(z.string()).default([]),
      }),
    }),
  }),
};
