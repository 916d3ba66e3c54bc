"""The best use of the labelled source alone, chosen by what it finds among items that were held out."""
