"""The picture in a link's chat preview: merchant and amount, drawn from glyphs that we ship."""
