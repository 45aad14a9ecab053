"""Word lists of the model-free measures: common words, titles, and words that give a scene its colour."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


STOP_WORDS = _words(
    """
    a about above after again against all almost along already also although always am among an and another any
    are as at away back be became because been before began being below between both but by came can cannot come
    could day did do does don't done down during each either else enough even ever every far few first for found
    from gave get give go going good got great had half hand has have having he he'd her here hers herself him
    himself his how however i i'll i'm if in indeed into is it it's its itself just knew know last least left less
    let like little long looked made make many may me might mine more most much must my myself near never next no
    nor not nothing now of off often oh old on once one only or other others our out over own part perhaps put
    quite rather said same saw say see seemed seen several shall she should side since so some something soon
    still such take tell than that that's the their them themselves then there therefore these they thing things
    think this those though thought three through thus till time to together told too took turned two under until
    up upon us very was way we well went were what when where whether which while who whole whom whose why will
    with within without would yes yet you young your yours mr mrs miss dr sir madam
    """
)
FIRST_PERSON = _words(
    """
    i me my mine myself we us our ours ourselves
    """
)
PRESENT = _words(
    """
    is are am has have does do says goes comes sees knows thinks seems looks stands sits takes
    """
)
PAST = _words(
    """
    was were had did said went came saw knew thought seemed looked stood sat took
    """
)
ACTION = _words(
    """
    ran run rushed struck strike leaped leapt jumped seized seize caught fell fired shot fought fight threw pulled
    pushed climbed rode fled flew chased escaped dashed sprang hurried galloped plunged dragged broke burst
    grabbed hit beat kicked stabbed killed attacked swam rowed dug cut burned crashed knife gun sword pistol blow
    blood wounded battle storm
    """
)
WORLD = _words(
    """
    house room street road town city village hill mountain river sea ship forest wood tree garden field sky wind
    water island coast castle church hall window door wall floor roof fire lamp furniture dress country land
    valley bridge harbour deck sand snow rain fog moon sun stars grass flowers stone tower market square palace
    desert shore rock
    """
)
ROMANTIC = _words(
    """
    love loved lover lovers kiss kissed heart beloved darling dearest tender tenderness sweetheart passion marry
    married marriage bride wedding engaged courtship adored blush blushed charming beauty embrace embraced
    affection
    """
)
EROTIC = _words(
    """
    naked nude lust desire caress caressed bosom breast breasts voluptuous sensual bed thighs mistress
    """
)
OPENING_WORDS = _words(
    """
    when next then after before at on in one that the early late meanwhile soon about it during as by towards
    """
)
TIME_WORDS = _words(
    """
    morning evening night day noon week weeks month months year years days hour hours later o'clock dawn
    """
)
TITLES = _words(
    """
    Mr Mrs Ms Miss Dr Doctor Sir Lady Lord Madame Madam Mademoiselle Monsieur Captain Colonel General Major
    Lieutenant Sergeant Professor Inspector Father Mother Sister Brother Aunt Uncle Cousin Count Countess Duke
    Duchess Prince Princess King Queen Baron Baroness Judge Reverend Rev Parson Squire Master Mistress Old Young
    Little Poor Dear
    """
)
QUALIFIERS = _words(
    """
    Old Young Little Poor Dear
    """
)
NO_NAMES = _words(
    """
    I God Lord Heaven Heavens Christmas Easter Sunday Monday Tuesday Wednesday Thursday Friday Saturday January
    February March April May June July August September October November December English French German Italian
    Spanish Russian American Irish Scotch Latin Greek Roman Christian Chapter Book Part Letter Volume O Oh Ah Yes
    No Well The A An And But Mr Mrs Miss Sir Madam Majesty Indian Bible Church Street Road House Hall Park Square
    """
)
SMALL_WORDS = _words(
    """
    a an and as at but by for from in into of on or the to upon with
    """
)
FEMALE_NAMES = _words(
    """
    Agnes Alice Amy Ann Anne Annie Beatrice Becky Bertha Bess Bessie Beth Betsy Blanche Bridget Carmen Caroline
    Catherine Cathy Charlotte Christine Clare Constance Daisy Dorothy Edith Eleanor Elinor Eliza Elizabeth Ellen
    Emily Esther Ethel Eunice Eve Fanny Flora Florence Frances Gertrude Grace Gwendolen Hannah Harriet Helen Hester
    Irene Isabel Jane Janet Jenny Jessie Joan Josephine Judith Kate Katherine Kitty Lily Lizzie Lizzy Lois Louise
    Lucie Lucy Mabel Madeleine Margaret Margery Marian Marianne Marie Marion Marjorie Martha Mary May Mercy Meg
    Mildred Milly Miriam Molly Muriel Nancy Nelly Nora Olive Pearl Peggy Phyllis Polly Priscilla Prudence Rachel
    Rose Ruth Sally Sarah Sophie Susan Susie Violet Winifred
    """
)
MALE_NAMES = _words(
    """
    Abel Abraham Adam Albert Alexander Alfred Allan Ambrose Andrew Anthony Archibald Arthur Asa Augustus Basil
    Benjamin Bernard Charles Christopher Clement Cyril Daniel David Dick Dorian Edgar Edmund Edward Edwin Elisha
    Ernest Ezra Felix Ferdinand Francis Frank Frederick Gabriel Geoffrey George Gerald Gilbert Gregory Guy Hal
    Harold Harry Henry Herbert Hugh Humphrey Ira Isaac Jack Jacob James Jasper Jeremiah Jerome Jim Joe John Jonah
    Jonathan Joseph Joshua Josiah Julian Laurence Lawrence Leonard Lewis Lucas Luke Mark Martin Matthew Maurice
    Michael Miles Ned Nicholas Nikita Noah Obadiah Oliver Oscar Owen Patrick Paul Percy Peter Philip Quincey Ralph
    Raymond Richard Robert Roger Roland Rupert Sam Samuel Sebastian Septimus Sidney Silas Simon Stephen Sydney
    Theodore Thomas Timothy Tobias Tom Valentine Victor Vincent Walter Wilfred Will William Zachariah
    """
)
FEMALE_WORDS = _words(
    """
    she her hers herself woman girl lady wife mother sister daughter aunt niece widow maid housekeeper governess
    queen princess duchess countess nun heiress
    """
)
MALE_WORDS = _words(
    """
    he his him himself man boy gentleman husband father brother son uncle nephew widower butler footman clergyman
    king prince duke count sailor soldier captain heir
    """
)
