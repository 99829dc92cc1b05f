// What scripts add to pages that work without them: fresh cells, keys, a filter that does not wait for Enter,
// figures under the pointer. Each part is a module of its own and knows nothing of the others.

import "./refresh.js";
import "./keys.js";
import "./filter.js";
import "./point.js";
import "./copy.js";
